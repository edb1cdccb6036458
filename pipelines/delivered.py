"""What an advertiser's feed takes of a creative, and of a scene; light to import."""

DELIVERED = (
    "product_id", "placement", "creative_uri", "creative_width", "creative_height", "creative_bytes", "label",
    "image_uri",
)  # fmt: skip
DELIVERED_SCENES = (
    "scene_group", "product_ids", "placement", "seed", "creative_uri", "creative_width", "creative_height",
    "creative_bytes", "label",
)  # fmt: skip
