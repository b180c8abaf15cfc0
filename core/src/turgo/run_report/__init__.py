"""The report of a run: one HTML file that says where its time went, and why what failed did.

FlowRun, Structure ──calls──> Calls ──> time_shares, bars ──> page
"""
