"""The engine: systems traced to symbols, written as straight-line kernels, integrated and kept."""
