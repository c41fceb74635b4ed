"""Two runs of one suite, by yesterday's code and by today's: does it still converge as before, and is it as fast?"""
