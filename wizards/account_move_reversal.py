from odoo import models


class AccountMoveReversal(models.TransientModel):
    _inherit = "account.move.reversal"

    def reverse_moves(self, is_modify=False):
        # EXTENDS account: what is created anew of a Copaco document stays known
        reversed_moves = self.move_ids
        action = super().reverse_moves(is_modify)
        if is_modify:
            # They were created in the order of what they were created of.
            created = self.new_move_ids.sorted("id").sudo()
            for move, new in zip(reversed_moves.sudo(), created, strict=True):
                if move._get_copaco_roots():
                    new.copaco_origin_id = move
        return action
