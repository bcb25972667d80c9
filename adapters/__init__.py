"""Adapters: import providers' files, one package for each kind of provider. No adapter imports another."""
