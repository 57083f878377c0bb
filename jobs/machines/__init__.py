"""The machines that do media work: who lives, what each has, does and may do."""
