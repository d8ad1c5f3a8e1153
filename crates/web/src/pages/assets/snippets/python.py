# python.py
