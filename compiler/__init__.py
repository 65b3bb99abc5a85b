"""From a traced or parsed program to native code that runs."""
