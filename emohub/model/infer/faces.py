"""The largest face of a picture, found and cut out by the rule of the demo Space."""

from PIL import Image

from emohub.errors import EmohubError, MediaError
from emohub.hub.folders import load_shared

_RULE = load_shared("spaces", "_shared", "faces")
Box = tuple[int, int, int, int]


class FaceCropper:
    """Cuts the largest face out of pictures; safe in threads.

    Raises:
        EmohubError: OpenCV or the detector's model is not installed.
    """

    def __init__(self) -> None:
        try:
            self.find = _RULE.FaceFinder()
        except ImportError as error:
            raise EmohubError(
                'Cutting out faces needs a detector that is not installed: pip install "emohub[face]".'
            ) from error

    def __call__(self, image: Image.Image) -> tuple[Image.Image, Box]:
        """The square around the largest face, and the face's box (left, top, width, height) in pixels.

        Args:
            image: In RGB.

        Raises:
            MediaError: no face.
        """
        boxes = self.find(image)
        if not boxes:
            raise MediaError("no face found")
        crop, _ = _RULE.cut(image, boxes[0])
        return crop, boxes[0]
