"""How a till's table is read that has a row for each line of a receipt."""

MAPPING = """
type: purchase
id: receipt
member: card
occurred_at: {column: time, zone: UTC}
group_by: receipt
data: {order: receipt}
lines: {amount: paid}
"""
