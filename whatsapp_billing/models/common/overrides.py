# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Whether SQL may stand for methods that another module can override."""


def has_methods_of(records, model_class, names):
    """Tell whether a model has these methods as that class wrote them."""
    return all(
        getattr(type(records), name) is getattr(model_class, name) for name in names
    )
