"""What leaves the program: exports, pictures without a window, the gallery."""
