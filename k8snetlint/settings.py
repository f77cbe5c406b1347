"""The typed settings that configuration fills and every upper layer reads."""
