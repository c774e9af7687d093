"""Many runs side by side: what a parameter changes in their results. Two runs, to the first difference: compare.py."""
