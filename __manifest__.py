{
    "name": "Copaco Cloud Customer Invoices",
    "summary": "Turns Copaco Cloud customer specifications into customer invoices, "
    "exact to the cent and never twice",
    "version": "19.0.2.0.0",
    "category": "Accounting/Accounting",
    "author": "account_copaco contributors",
    "license": "LGPL-3",
    "depends": ["account"],
    "external_dependencies": {
        # Odoo needs packaging to read the version that is asked for.
        "python": ["defusedxml", "packaging", "pydantic>=2.4", "requests"],
        # What Odoo says to type on Debian and Ubuntu, whose own pydantic is too old.
        "apt": {
            "defusedxml": "python3-defusedxml",
            "packaging": "python3-packaging",
            "pydantic>=2.4": "python3-pip && python3 -m pip install "
            "--break-system-packages 'pydantic>=2.4'",
            "requests": "python3-requests",
        },
    },
    "data": [
        "security/ir.model.access.csv",
        "security/copaco_security.xml",
        "data/product_data.xml",
        "data/ir_cron_data.xml",
        "data/mail_activity_type_data.xml",
        "wizards/copaco_api_key_views.xml",
        "wizards/copaco_fetch_views.xml",
        "wizards/copaco_exclude_views.xml",
        "wizards/copaco_upload_views.xml",
        "wizards/copaco_preview_document_views.xml",
        "wizards/copaco_preview_views.xml",
        "views/copaco_document_line_views.xml",
        "views/copaco_document_templates.xml",
        "views/copaco_document_form_views.xml",
        "views/copaco_document_views.xml",
        "views/copaco_reconciliation_templates.xml",
        "views/copaco_monitor_templates.xml",
        "views/copaco_run_views.xml",
        "views/copaco_month_views.xml",
        "views/copaco_connection_views.xml",
        "views/copaco_customer_views.xml",
        "views/account_move_views.xml",
        "views/copaco_menus.xml",
    ],
    "assets": {
        "web.assets_tests": ["account_copaco/static/tests/tours/**/*"],
    },
    "images": [
        "static/description/preview.png",
        "static/description/to_do.png",
        "static/description/run.png",
        "static/description/duplicates.png",
        "static/description/changed.png",
        "static/description/months.png",
    ],
    "cloc_exclude": ["devtools/**/*"],
}
