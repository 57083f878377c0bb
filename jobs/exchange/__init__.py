"""Media work on machines that share no folder with the others: Redis and S3 suffice.

A media worker that is far writes a *letter* into Redis every moment: what it has and
does, as others announce it in the folder. The control side answers with what is lent to
it. The *claim* in the folder of an attempt is written there, for the worker: so one
worker has an attempt, wherever it is. Files travel through the object storage, below
``work/<job>/``, in pieces that are named by their SHA-256: what is there is not sent
again, and what is damaged is noticed.

===========================================  ========  ==========================
``work/<job>/pieces/<sha256>``               both      a piece of an input or output
``work/<job>/attempts/<key>/order.json``     control   the spec, and the inputs
``work/<job>/attempts/<key>/result.json``    worker    its report, and the outputs
===========================================  ========  ==========================

What needs the folder of keys, or tracks that are installed, is never lent.
"""
