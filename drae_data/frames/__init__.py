"""A frame file to 8 bit grey pixels: `decoding` tells the format, a module each reads it, within bounds."""
