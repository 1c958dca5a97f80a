"""Documents that a process declares: reports as workbooks, letters to print. Nothing here names a process."""
