"""How synapses and readouts change: rules in the model language, and the learners that write them."""
