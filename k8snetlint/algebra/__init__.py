"""Sets of integers, addresses, ports and workloads: pure mathematics that imports nothing of ours."""
