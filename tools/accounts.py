"""How Copaco's accounts are told apart."""


def get_account_key(account_ref):
    """:param account_ref: Copaco's AccountID; nobody knows whether Copaco tells such
        accounts apart that differ only in capitals
    :return: what they have in common; False for none
    """
    return account_ref.lower() if account_ref else False
