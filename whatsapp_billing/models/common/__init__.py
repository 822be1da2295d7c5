"""Plain helpers of the models; no model is defined here.

`send_request.py` has what a caller asks for and the message planned for it,
`sql_bulk.py` writes thousands of rows, `savepoint.py` keeps our faults out of Odoo's
transactions, `call_arguments.py` checks what other programs pass. The rest: words
(`labels.py`), the ledger's constants (`ledger.py`), and small conversions.
"""
