"""The trainings: tokenizer, VAE, U-Net with text encoder, and what is distilled or tuned from them."""
