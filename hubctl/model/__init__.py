"""The nouns of hubctl, frozen: what the files say, what the predictors answered, what was concluded and done.

Pure data that every room shares, so that rooms need not know each other.
"""
