"""Measurements that claims can rest on: a function of frozen settings and a seed."""
