# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Open a database as the administrator, call one function, print its result."""

import importlib
import json
import sys


def main(conf: str, name: str, function: str, options: str) -> None:
    """Call `benchmarks.odoo_side.<module>.<name>(env, **options)`."""
    from odoo import SUPERUSER_ID, api
    from odoo.modules.registry import Registry
    from odoo.service.server import load_server_wide_modules
    from odoo.tools import config

    config.parse_config(["-c", conf, "-d", name, "--no-http"], setup_logging=True)
    load_server_wide_modules()
    module, _, attribute = function.rpartition(".")
    call = getattr(importlib.import_module(f"benchmarks.odoo_side.{module}"), attribute)
    with Registry(name).cursor() as cr:
        admin = api.Environment(cr, SUPERUSER_ID, {}).ref("base.user_admin")
        env = api.Environment(cr, admin.id, {"lang": "en_US"})
        result = call(env, **json.loads(options))
        env.flush_all()
        cr.commit()
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
