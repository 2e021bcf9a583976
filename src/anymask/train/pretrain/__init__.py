"""Image encoders trained without masks: masked autoencoding, and learning a larger encoder's embeddings."""
