"""The fictional customers: Dutch and Belgian companies that don't exist.

Nothing of them can reach a real party: mail goes to ``.example`` domains, telephone
numbers begin with a zero after the area code, and VAT numbers have valid check digits
in ranges that are not in use.
"""

import unicodedata
from dataclasses import dataclass
from random import Random

# The first ones have traits that tests and the demonstration look for:
#   no_number       CustomerNumber is empty
#   shared_number   two customers that bear the same CustomerNumber
#   cost_center     CostCenter is filled in
#   one_po          the same PO number on all lines
#   several_po      a PO number of its own for each subscription
#   public_mail     mail address at a public provider
#   no_vat          no VAT number
#   dotted_vat      VAT number written with spaces and dots
#   credit_month    every month is a credit as a whole
#   split           its invoice comes as two elements with the same number
#   french          language of the invoice
#   iso_dates       dates are written as ISO instead of YYYYMMDD
_COMPANIES = """\
Zeilmakerij De Halve Maan B.V.|Havenkade 12|1781 AA|Den Helder|NL|Sanne Voorbeeld|one_po
Café 't Blauwe Paard|Markt 7|5211 JV|'s-Hertogenbosch|NL|Björn Fictief|no_number
Advocaten Van Rooswijck & Partners N.V.|Singel 140|1015 AG|Amsterdam|NL||shared_number
Drukkerij Inktvlek BVBA|Steenweg 88|9000|Gent|BE|Lieve De Proef|shared_number
Stichting Het Open Venster Lent|Kerkplein 3|6663 BA|Lent|NL|Joost Proefveld|no_vat
Hoveniersbedrijf De Groene Linde VOF|Lindelaan 21|3735 KC|Bosch en Duin|NL||public_mail
Bouwgroep Noorderzon BV|Industrieweg 45|9403 AB|Assen|NL|Klaas Testinga|several_po
Brasserie L'Étoile Filante SRL|Rue du Sud 16|4500|Huy|BE|Zoé Exemple|dotted_vat,french
Tandartspraktijk Kiesvrij|Beatrixlaan 9|2282 LP|Rijswijk|NL|Fatima Örnek|credit_month
Ingenieursbureau Krachtlijn B.V.|Techniekweg 1|3542 DV|Utrecht|NL|Ruben van Proef|split
Woningstichting Dakbehoud|Dorpsstraat 200|7411 LR|Deventer|NL||cost_center
Mühlstein & Zn. Staalbouw B.V.|Hal 5|7575 EJ|Oldenzaal|NL|Jürgen Muster|iso_dates
Transport Van den Wielen NV|Kaai 60|2030|Antwerpen|BE|Koen Voorbeeldens|cost_center
O'Hara's Taleninstituut|Oude Gracht 31|3511 AL|Utrecht|NL|Maeve O'Sample|dotted_vat
Boekhandel Paginagroot|Weg 18|3811 AJ|Amersfoort|NL|Noor Fictief|no_number,no_vat
Kaasmakerij De Zilte Polder B.V.|Zeedijk 4|4424 NA|Wemeldinge|NL|Piet de Proef|
Garage Vlotrijden BVBA|Tiensesteenweg 310|3001|Heverlee|BE|Tom Testens|
Fysiotherapie De Soepele Stap|Parkweg 77|9725 EC|Groningen|NL|Iris Voorbeeldsma|
Groothandel Aardewolf B.V.|Veilingweg 22|5928 RL|Venlo|NL|Çağla Örnek|
Basisschool De Wolkenladder|Schoolstraat 2|6851 BD|Huissen|NL|Anneke Proef|cost_center
Coöperatie Zonnedak Heuvelrug U.A.|Bergweg 11|3941 RB|Doorn|NL|Wouter Testman|
Architecten Loodrecht & Vrij|Coolsingel 93|3012 AE|Rotterdam|NL|Eva van Test|iso_dates
Pâtisserie Douce Heure SA|Avenue Fictive 254|1050|Brussel|BE|Chloé Fictive|french
Uitvaartzorg Stille Waters|Vijverlaan 6|2161 DC|Lisse|NL|Hans Voorbeeld|
Zorgcentrum De Warme Deken|Rozenstraat 50|6411 TX|Heerlen|NL|Marie Proefman|cost_center
Makelaardij Sleutelgat B.V.|Plein 1813 8|2514 JN|Den Haag|NL|Bram Fictief|
Brouwerij Het Scheve Vat CV|Brouwersvliet 13|8000|Brugge|BE|Jan De Test|
Loodgieter Druppelstop VOF|Watermolen 17|7321 AZ|Apeldoorn|NL|Ali Örnekoğlu|
Evenementenbureau Vuurvlieg|Stationsplein 1|5611 AB|Eindhoven|NL|Roos Proeven|
Scheepswerf Anker & Kiel B.V.|Werfkade 30|3295 KD|'s-Gravendeel|NL|Cor Testboer|
Dierenkliniek Zachtpoot|Hertenlaan 19|7823 PT|Emmen|NL|Mirjam Fictiefstra|
Mode Atelier Zoë & Co|Nieuwstraat 101|3000|Leuven|BE|Zoë Voorbeelds|
Camping De Fluisterende Dennen|Bosrand 1|8162 PE|Epe|NL|Gerrit Proefbos|
Installatiebedrijf Warmtebron|Gasthuisstraat 64|5014 NA|Tilburg|NL|Sjaak Voorbeeld|
Muziekschool Kwint|Orgelpad 9|8911 BM|Leeuwarden|NL|Femke Proefstra|
Wijnhandel Château Kelder NV|Kelderweg 27|3500|Hasselt|BE|Luc Van Proef|
Accountants Cijferhelder B.V.|Zuidas 400|1082 MD|Amsterdam|NL|Petra Fictief|
Schoonmaakbedrijf Glimlach|Spiegelweg 12|1315 RD|Almere|NL|Yasmin El Mithal|
Fietsenmaker Trapvast|Ringbaan 55|5025 VB|Tilburg|NL|Dirk Testkens|
Theater De Vierde Muur vzw|Schouwburgplein 2|8500|Kortrijk|BE|An Verproef|
Kwekerij Knop & Bloei B.V.|Kasweg 140|2671 CX|Naaldwijk|NL|Arie van Proef|
Recherchebureau Helder Zicht|Toren 3|2611 HA|Delft|NL||
Crèche Les Petits Nuages ASBL|Rue de l'Église 8|5000|Namur|BE|Léa Duproef|french
Softwarehuis Puntkomma B.V.|Bitlaan 64|7521 PR|Enschede|NL|Niels Voorbeeld|
Slagerij Worstelaar|Voorstraat 36|4461 KN|Goes|NL|Kees Proef|
Orthopedie Rechtop BV|Ziekenhuislaan 10|9100|Sint-Niklaas|BE|Greet Testaert|
"""
_TRADES = (
    "Advies Bakkerij Bouw Catering Dakwerken Elektro Financieel Grafisch Horeca"
    " Interieur Juridisch Kappers Logistiek Media Notariaat Onderwijs Print"
    " Retail Schilders Techniek Verhuur Webdesign Zorg"
).split()
_WORDS = (
    "Zonnewijzer Maanvis Wolkenveld Sterrenpad Regenboog Bliksem Vuurtoren"
    " Zandloper Kompas Windroos Horizon Morgenrood Avondster Zeepaard IJsvogel"
    " Eekhoorn Waterlelie Duinroos Meerkoet Lantaarn Ganzenveer Tinnen Soldaat"
).split()
_FORMS = ("B.V.", "BV", "VOF", "N.V.", "BVBA")


@dataclass(frozen=True)
class Customer:
    """A fictional end customer; ``index`` is its place in the list."""

    index: int
    account_ref: str
    customer_number: str
    name: str
    vat: str
    email: str
    phone: str
    street: str
    zip: str
    city: str
    country_code: str
    contact_name: str
    cost_center: str
    traits: frozenset

    @property
    def slug(self):
        """The name in plain lower-case letters and digits."""
        return slug(self.name)

    def __str__(self):
        return f"{self.name} ({self.account_ref})"


def make_customers(seed, count):
    """Return ``count`` customers; the first ones are the same for every ``count``."""
    first_account = Random(f"{seed}-accounts").randrange(100_000, 900_000)
    rows = [line.split("|") for line in _COMPANIES.splitlines()]
    return [
        _customer(seed, first_account, index, rows[index : index + 1])
        for index in range(count)
    ]


def slug(name):
    """Return ``name`` in plain lower-case letters and digits."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return "".join(filter(str.isalnum, plain)).lower()


def _customer(seed, first_account, index, rows):
    row = rows[0] if rows else _invent(index)
    name, street, zip_code, city, country, contact, traits = row
    traits = frozenset(filter(None, traits.split(",")))
    email = f"administratie@{slug(name)}.example"
    if "public_mail" in traits:
        # More than 30 letters, so nobody can own it at this provider.
        email = f"{slug(name)}@gmail.com"
    number = f"{10_000 + 10 * index}"
    if "no_number" in traits:
        number = ""
    elif "shared_number" in traits:
        number = "10020"
    belgian = country == "BE"
    return Customer(
        index=index,
        account_ref=str(first_account + 7 * index),
        customer_number=number,
        name=name,
        vat="" if "no_vat" in traits else _vat_number(seed, index, belgian),
        email=email,
        phone=f"+32 2 000 {index:04}" if belgian else f"+31 20 00{index:05}",
        street=street,
        zip=zip_code,
        city=city,
        country_code=country,
        contact_name=contact,
        cost_center=f"KPL-{100 + index}" if "cost_center" in traits else "",
        traits=traits,
    )


def _invent(index):
    """Return a row for a customer beyond the written list."""
    number, trade = divmod(index, len(_TRADES))
    series, word = divmod(number, len(_WORDS))
    name = f"{_TRADES[trade]} {_WORDS[word]} {series + 1} {_FORMS[index % 5]}"
    street = f"Proefstraat {index}"
    if index % 4 == 0:
        return name, street, "1000", "Brussel", "BE", "", ""
    return name, street, "1234 AB", "Voorbeelddam", "NL", "", ""


def _vat_number(seed, index, belgian):
    if belgian:
        base = 19_000_000 + Random(f"{seed}-vat").randrange(100_000) + index
        return f"BE{base}{97 - base % 97:02}"
    base = 990_000_000 + 100 * (Random(f"{seed}-vat").randrange(9000) + index)
    if index % 3 == 0:
        # Sole traders since 2020: letters as numbers, then the remainder by 97 is 1.
        digits = f"{base + 1}"
        spelled = int(f"2321{digits}1100")
        return f"NL{digits}B{98 - spelled % 97:02}"
    while not _passes_eleven_test(str(base)):
        base += 1
    return f"NL{base}B01"


def _passes_eleven_test(digits):
    weighted = sum((9 - place) * int(digit) for place, digit in enumerate(digits[:8]))
    return (weighted - int(digits[8])) % 11 == 0
