"""What the fictional customers use: plans with prices as a reseller might set them."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Plan:
    """A product; ``price`` is what the customer pays for one."""

    ref: str
    name: str
    category: str
    price: Decimal
    # The share of the price that the reseller pays to Copaco.
    cost: Decimal = Decimal("0.85")


def _plans(category, first_ref, prices, cost="0.85"):
    return tuple(
        Plan(str(first_ref + place), name, category, Decimal(price), Decimal(cost))
        for place, (name, price) in enumerate(prices.items())
    )


MICROSOFT_365 = _plans(
    "Microsoft 365",
    20110,
    {
        "Microsoft 365 Business Premium": "20.60",
        "Exchange Online (Plan 1)": "3.70",
        "Microsoft 365 Business Standard": "11.70",
        "Microsoft 365 E3 (no Teams)": "33.7950",
        "Microsoft Teams Enterprise": "4.925",
        "Microsoft 365 Business Basic": "5.60",
        "Microsoft 365 Apps for business": "10.80",
        "Exchange Online (Plan 2)": "7.5",
        "Microsoft Entra ID P1": "5.60",
        "Power BI Pro": "13.10",
        "Visio Plan 2": "14.0345",
        "Planner & Project Plan 3": "28",
        "Microsoft 365 Copilot": "28.10",
    },
    "0.83",
)
FREE = Plan("20190", "Microsoft Power Automate Free", "Microsoft 365", Decimal(0))
AZURE = Plan("20300", "Azure plan", "Microsoft Azure", Decimal(0), Decimal("0.91"))
# Meters of the Azure plan, with the price of one unit in US dollars.
AZURE_METERS = tuple(
    (meter, Decimal(price))
    for meter, price in {
        "Virtual Machines Dv5 Series - D4s v5 - EU West": "0.2304",
        "Premium SSD Managed Disks - P20 LRS Disk - EU West": "0.10093482",
        "Bandwidth - Standard Data Transfer Out": "0.0812",
        "Storage - Hot LRS Data Stored": "0.01965",
        "Storage - LRS Write Operations (10K)": "0.0540378",
        "Backup - Azure VM Protected Instances": "5.0",
        "SQL Database Single Standard - S2 DTUs": "0.1008064516",
        "VPN Gateway - VpnGw1AZ": "0.19",
        "Log Analytics - Pay-as-you-go Data Ingestion": "2.76",
        "Key Vault - Operations (10K)": "0.00000315",
        "Functions - Standard Execution Time": "0.000016",
        "IP Addresses - Standard IPv4 Static Public IP": "0.0050",
    }.items()
)
BACKUP = (
    *_plans(
        "Veeam",
        20400,
        {
            "Veeam Backup for Microsoft 365": "1.85",
            "Veeam Cloud Connect Backup - Server": "9.35",
            "Veeam Cloud Connect Backup - Workstation": "3.125",
        },
        "0.70",
    ),
    *_plans(
        "Acronis",
        20500,
        {
            "Acronis Cyber Protect Cloud - Workstation": "2.4",
            "Acronis Cloud Storage (GB)": "0.0385",
        },
        "0.65",
    ),
)
DOMAINS = _plans(
    "InterNetX",
    20600,
    {
        ".nl domain": "9.95",
        ".com domain": "14.50",
        ".be domain": "11.25",
        ".eu domain": "12",
    },
    "0.60",
)
VMWARE = Plan("20700", "VMware vCloud - Virtual Data Center", "VMware", Decimal("84.2"))
TELECOM = Plan("20800", "SIP trunk, 10 channels", "Telecom", Decimal("17.5"))
ONE_TIME = (
    Plan("20900", "Windows Server 2025 Standard - 16 Core", "Software", Decimal(1069)),
    Plan("20901", "Migration service", "Services", Decimal("125.00"), Decimal("0.75")),
)
CUSTOM = Plan("0", "Default Subscription", "Custom", Decimal(0))
