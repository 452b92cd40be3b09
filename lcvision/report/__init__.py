"""Accuracy against latency: what was trained and measured, read, compared and drawn.

An input that is missing or wrong raises a :class:`lcvision.errors.UserError`.
"""
from lcvision.report.assemble import Report, make_report
from lcvision.report.page import write_page
from lcvision.report.picture import draw_task

__all__ = ['Report', 'draw_task', 'make_report', 'write_page']
