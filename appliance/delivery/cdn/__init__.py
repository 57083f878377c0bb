"""CDNs that check signatures of their own: one file for each vendor's way to sign.

All of them sign a folder, so that one signature opens a whole film for a while. Bunny's
stands in the path, which relative addresses in manifests inherit. The others stand in
the query, which the player puts to every request; CloudFront and Google take cookies
too, for players that put nothing to anything.
"""
