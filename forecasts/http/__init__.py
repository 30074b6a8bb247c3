"""How services outside are asked: bounded in time, size and patience, without leaks.

::

    client       attempts, waits and what is remembered of a host; the only entrance
    transfer     one request over ``requests``, ended at a deadline whatever happens
    message      what is sent and what came back
    limits       the bounds, and how long to wait between attempts
    cool_down    hosts that asked to be left alone, remembered between runs
    secret       keys from the environment, and their removal from any text
    json_body    strict reading of an answer
    answers      the newest answer to each question, kept on disk
    errors       why there is no answer
"""
