"""What training on preferences costs and comes to, beside other ways of doing the same."""
