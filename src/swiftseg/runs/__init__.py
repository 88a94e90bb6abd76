"""What the folder of a training holds; read and written without torch."""
