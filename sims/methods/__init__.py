"""What is done about entanglement: calibration, averages, baselines, treatments."""
