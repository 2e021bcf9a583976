"""From a user's masks to a better model: split, train, measure before and after, refuse to flatter.

    data set --choose--> train, validation, held out --views--> fit --> model folder --evaluate--> verdict

docs/finetune.md is the tutorial.
"""
