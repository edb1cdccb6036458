"""Why a creative is not there, in words that an advertiser understands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Words(NamedTuple):
    """A reason explained: a heading, what happened, and what the advertiser can do about it."""

    title: str
    text: str
    advice: str


_LATER = "Nothing to do: the next run tries again."
_OURS = "Nothing to do on your side: our team looks after it."
_AGAIN = "You can ask for another candidate."
_PHOTO = "A photo of the product alone, whole, sharp and on a plain ground works best."

REASONS: Mapping[str, Words] = {
    "ok": Words("Ready", "The creative passed every check.", "Look at it, then accept or refuse it."),
    # skipped: the picture or its words do not fit
    "unfit_words": Words(
        "Wording not allowed",
        "The title, the description or the wish for the background holds a word that must not appear in an ad.",
        "Change the words, then send the product again.",
    ),
    "too_small": Words(
        "Photo too small",
        "The photo has too few pixels to fill this placement without becoming blurred.",
        "Send a larger photo: 1000 pixels or more on the shorter side.",
    ),
    "task_not_allowed": Words(
        "Not ordered",
        "This photo would need a feature that is not switched on for this product.",
        "Ask your contact to switch it on, or send a photo of the other kind.",
    ),
    "collage": Words(
        "Several pictures in one", "The photo is put together from several pictures.", "Send one photo of one product."
    ),
    "pattern": Words(
        "Only a pattern",
        "The photo shows a material or a pattern from edge to edge, so there is no product to cut out.",
        "Send a photo that shows the product as a whole.",
    ),
    "blurred": Words("Photo blurred", "The photo is too blurred for an ad.", "Send a sharper photo."),
    "human": Words(
        "A person is shown",
        "A person seems to be in the photo. We never repaint the surroundings of people.",
        "Send a photo without people.",
    ),
    "unsafe_image": Words(
        "Not fit for ads",
        "The photo may show something that ad platforms do not allow.",
        "Send another photo, or tell us if this is a mistake.",
    ),
    "no_product": Words(
        "No product found", "We could not make out one product in the photo.", _PHOTO
    ),
    "text_overlay": Words(
        "Text on the photo",
        "There is text beside the product: a price, an offer, a watermark.",
        "Send the photo without text.",
    ),
    "cut_by_frame": Words(
        "Product cut off",
        "The product reaches beyond the edge of the photo, so part of it is missing.",
        "Send a photo that shows the product whole, with a little room around it.",
    ),
    "already_fits": Words(
        "Already the right shape",
        "The original already has the shape of this placement; there is nothing to add.",
        "Nothing to do: use the original.",
    ),
    "too_much_to_paint": Words(
        "Too little left of the photo",
        "Most of this placement would have to be invented, and little would be left of your photo.",
        "Send a photo that is closer to this placement's shape.",
    ),
    "frame_too_large": Words(
        "Photo too large for this placement", "The photo would be too large to process here.", "Send a smaller photo."
    ),
    "no_room": Words(
        "Does not fit",
        "The product does not fit into the part of this placement that the platform keeps free.",
        "Use the other placements for this product.",
    ),
    "opted_out": Words(
        "You opted out",
        "You asked us not to make creatives of this kind for this product.",
        "Undo the opt-out to have creatives again from the next run on.",
    ),
    "withdrawn": Words(
        "You withdrew it",
        "You withdrew the creative that stood here. It is no longer delivered.",
        "Undo it, or ask for another candidate.",
    ),
    "refused": Words(
        "Refused several times",
        "You refused every candidate so far, so we stopped trying.",
        "A different photo helps most. You can also ask for another candidate.",
    ),
    # rejected: the result was not good enough
    "unclear_mask": Words(
        "Outline unclear",
        "We could not tell exactly where the product ends, and we would rather show no ad than a damaged product.",
        "A plain ground in another colour than the product helps most.",
    ),
    "no_backdrop": Words(
        "Fills the picture", "The product fills the whole photo, so there is no background to replace.", _PHOTO
    ),
    "indistinct_product": Words(
        "Does not stand out", "The product would not stand out from the new background.", _AGAIN
    ),
    "likely_defect": Words(
        "Something looks wrong", "Our check of what we painted found that something in it probably looks wrong.", _AGAIN
    ),
    "no_scenery": Words(
        "Nothing to continue",
        "At the edges of the photo there is no scenery that could be continued.",
        "Send a photo with some of the room around the product.",
    ),
    "torn_band": Words(
        "Does not join",
        "What we painted beside the photo did not join up well enough.",
        "Send a photo with some of the room around the product.",
    ),
    "product_altered": Words(
        "Product would change",
        "Our check found product pixels that were not exactly those of your photo, so the creative was thrown away.",
        _OURS,
    ),
    "core_too_small": Words(
        "Too fine to prove",
        "The product has so many thin or see-through parts that we cannot prove it stayed unchanged.",
        "A larger photo helps.",
    ),
    "outside_safe_zone": Words(
        "Would be covered",
        "Part of the product would lie where the platform puts its own buttons or cuts the picture.",
        _AGAIN,
    ),
    "product_too_small": Words(
        "Product too small", "The product would be lost in this placement.", "Send a photo that shows it larger."
    ),
    "seam_visible": Words("A seam shows", "The border between your photo and the painted part could be seen.", _AGAIN),
    "seam_color": Words("Colours do not meet", "The painted part has other colours than your photo beside it.", _AGAIN),
    "strange_band": Words("Looks out of place", "The painted part shows something that does not belong there.", _AGAIN),
    "halo": Words("A bright rim", "The old background still shines around the product's edge.", _AGAIN),
    "product_expanded": Words(
        "Product seems to grow",
        "The new background looks as if it continued the product, so it could be taken for another product.",
        _AGAIN,
    ),
    "unsafe_output": Words(
        "Not fit for ads", "The finished picture may be taken for something that ad platforms do not allow.", _AGAIN
    ),
    "encoding_loss": Words(
        "Colours would suffer", "Saving the file would have changed the product's colours too much.", _OURS
    ),
    "bytes": Words("File too large", "The file would be larger than the platform accepts.", _OURS),
    "undecodable": Words("File damaged", "The finished file could not be opened again, so it was thrown away.", _OURS),
    "size": Words("Wrong size", "The finished file had the wrong size, so it was thrown away.", _OURS),
    "format": Words("Wrong format", "The finished file had the wrong format, so it was thrown away.", _OURS),
    "profile": Words("Colour profile missing", "The finished file lacked its colour profile.", _OURS),
    "label": Words("Label missing", "The finished file lacked the label that says how it was made.", _OURS),
    # failed: the photo could not be had, or something broke
    "bad_row": Words(
        "Row incomplete", "The product's row in the feed is incomplete or wrong.", "Correct the row in your feed."
    ),
    "source": Words("Photo not usable", "The photo could not be used.", "Check the image link in your feed."),
    "source_not_allowed": Words(
        "Photo not reachable for us",
        "The image link leads to a place that we are not allowed to read.",
        "Ask your contact to allow it, or move the photo.",
    ),
    "not_found": Words(
        "Photo not found", "There is no photo at the image link.", "Upload it, or correct the link in your feed."
    ),
    "denied": Words("Photo locked", "We may not read the photo.", "Allow us to read it."),
    "empty": Words("Photo empty", "The photo's file is empty.", "Upload it again."),
    "too_large": Words("File too large", "The photo's file is larger than we accept.", "Upload a smaller file."),
    "source_unavailable": Words("Photo's server silent", "The photo's server did not answer.", _LATER),
    "not_an_image": Words(
        "Not a picture", "The file at the image link is no picture.", "Upload a JPEG, PNG, WebP, TIFF or GIF."
    ),
    "wrong_content": Words(
        "A page, not a photo", "The image link leads to a web page or a document.", "Link to the photo itself."
    ),
    "unsupported_image": Words(
        "Unusual picture format", "We cannot read this kind of picture.", "Upload a JPEG, PNG or WebP."
    ),
    "truncated": Words("Photo damaged", "The photo's file is damaged or ends too early.", "Upload it again."),
    "too_many_pixels": Words("Photo too large", "The photo has more pixels than we accept.", "Upload a smaller one."),
    # scenes of several products
    "bad_group": Words(
        "Products do not go together", "The group names a product twice, or more than eight.", "Change the group."
    ),
    "mixed_poses": Words(
        "Products do not go together",
        "Some products of the group stand and others hang or lie.",
        "Group products that stand, or say in the wish for the background how they are held.",
    ),
    "no_common_placement": Words(
        "No placement in common", "The products of the group are ordered for different placements.", "Give them one."
    ),
    "no_group": Words("Not in a group", "The product belongs to no group.", "Name its group, for a scene of several."),
    "config": Words("Wrong setting", "The run was set up wrongly.", _OURS),
    "table": Words("Wrong table", "A table that was given to a command is wrong.", _OURS),
    "internal": Words("Our fault", "Something broke on our side while this creative was made.", _OURS),
    "error": Words("Our fault", "Something broke on our side while this creative was made.", _OURS),
    "serving": Words("Our fault", "Our image server did not give a usable answer.", _OURS),
    "server_unavailable": Words("Not reached", "Our image server was not there.", _LATER),
    "queue_full": Words("Not reached", "Our image server had too much to do.", _LATER),
    "stub_crashed": Words("Not reached", "Our image server stopped in the middle.", _LATER),
    "deadline_exceeded": Words("Took too long", "Our image server took too long.", _LATER),
    "model_not_found": Words("Our fault", "A part of our image server was missing.", _OURS),
    "request_refused": Words("Our fault", "Our image server refused the work.", _OURS),
    "model_failed": Words("Our fault", "Our image server failed on this photo.", _OURS),
    "nothing_to_copy": Words("Nothing to continue", "There is nothing in the photo that could be continued.", _PHOTO),
    "invalid_answer": Words("Our fault", "Our image server gave an answer that we do not accept.", _OURS),
    "storage": Words("Our fault", "The finished file could not be stored.", _OURS),
    "object_not_found": Words("Our fault", "A file was missing in our store.", _OURS),
    "object_exists": Words("Our fault", "A file was already there in our store.", _OURS),
    "object_too_large": Words("Photo too large", "The photo's file is larger than we accept.", "Upload a smaller one."),
    "store_denied": Words("Our fault", "The finished file could not be stored.", _OURS),
    "store_full": Words("Our fault", "Our store was full.", _OURS),
    "store_unavailable": Words("Not stored", "Our store did not answer.", _LATER),
    "checksum_mismatch": Words("Not stored", "The stored file was damaged, so it was deleted again.", _LATER),
    "aborted": Words("Not reached", "The run stopped before it came to this product.", _LATER),
}  # fmt: skip


def words_for(reason: str) -> Words:
    """The words for `reason`; one that is not known is shown as it is, and said to be ours."""
    return REASONS.get(reason) or Words(reason.replace("_", " ").capitalize(), "There is no creative.", _OURS)
