"""What a preference training would do to a model on given data, told before it begins.

``survey`` reads the data once, whatever their size, and draws a sample; ``tokens`` counts what
matters in it; ``measure`` finds log-probabilities and score products, piece by piece; ``shares``
says what each objective makes of them; ``worst`` looks into the pairs worst off, ``advice`` draws
the conclusions, ``page`` shows them, and ``keep`` writes what may stay of the data.
"""
