# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Addresses that customers cannot open (odoo/odoo#137061, #22210)."""

import pytest

from rules.public_address import links, problem


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://odoo.example.com", ""),
        ("https://odoo.example.com:8443/{{1}}", ""),
        ("https://odoo.example.com./x", ""),
        ("https://93.184.215.14/x", ""),
        ("https://[2606:2800:21f:cb07::1]/", ""),
        ("http://odoo.example.com", "plain"),
        ("HTTP://odoo.example.com", "plain"),
        ("http://192.168.1.3:8069", "private"),
        ("https://10.0.0.1", "private"),
        ("https://172.31.255.255", "private"),
        ("https://100.64.0.1", "private"),
        ("https://169.254.1.1", "private"),
        ("https://0.0.0.0", "private"),
        ("https://127.0.0.1:8069", "private"),
        ("https://127.1", "private"),
        ("https://0x7f000001", "private"),
        ("https://2130706433", "private"),
        ("https://0300.0250.1.3", "private"),
        ("https://[::1]:8069", "private"),
        ("https://[fe80::1]", "private"),
        ("https://[fd00::1]/x", "private"),
        ("https://[::ffff:192.168.1.3]", "private"),
        ("http://localhost:8069", "local_name"),
        ("https://localhost.", "local_name"),
        ("http://erp", "local_name"),
        ("https://erp:8069/x", "local_name"),
        ("https://erp.local", "local_name"),
        ("https://erp.lan./x", "local_name"),
        ("https://erp.internal", "local_name"),
        ("https://ERP.LOCAL", "local_name"),
        ("https://odoo.example.com@192.168.1.3", "credentials"),
        ("https://user:pass@odoo.example.com", "credentials"),
        ("https://odoo.example.com\\@10.0.0.1", "credentials"),
        ("ftp://odoo.example.com", "no_address"),
        ("https://", "no_address"),
        ("https:///x", "no_address"),
        ("", "no_address"),
        ("{base}/x", "no_address"),
    ],
)
def test_what_a_customer_can_open(url, expected):
    assert problem(url) == expected


def test_with_the_simulator_beside_it_this_machine_is_fine():
    for url in ("http://127.0.0.1:8069", "http://localhost:8069/x", "http://[::1]"):
        assert problem(url, is_loopback_fine=True) == ""
    assert problem("http://192.168.1.3", is_loopback_fine=True) == "private"
    assert problem("http://erp", is_loopback_fine=True) == "local_name"


def test_links_are_found_in_a_text():
    assert links("See http://erp/x and https://a.example.com, thanks") == [
        "http://erp/x",
        "https://a.example.com,",
    ]
