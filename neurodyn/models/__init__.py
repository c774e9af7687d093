"""What is simulated: equations, parameters, citations; no time loop."""
