"""Pictures: one module per paper, one function per figure; arrays in, a figure out."""
