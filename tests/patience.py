"""How long a test waits before it calls something a hang, in seconds. No machine is that slow."""

PROCESS = 1800  # until a process that does work has ended; the slowest takes a minute on an idle machine
ANSWER = 300  # until something that runs has answered, has started, or has stopped after it was told to
