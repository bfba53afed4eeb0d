"""Pictures with captions, drawn by a program: objects of an emoji font, recoloured, in drawn scenes and styles."""
