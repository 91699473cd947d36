"""Fine-tuning, optimizers, slopes and calibration of language models."""
