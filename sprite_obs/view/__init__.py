"""Pictures of sprites, frames and detections."""
