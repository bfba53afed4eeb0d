"""Calls a server by OpenAI's Python client: python openai-client.py URL. Prints what it got, as JSON."""

import base64
import json
import sys
import warnings

import openai

warnings.simplefilter("ignore")
client = openai.OpenAI(base_url=sys.argv[1], api_key="none", max_retries=0)
few = {"steps": 2, "seed": 7}


def code_of(call):
    try:
        call()
    except openai.APIStatusError as error:
        return [type(error).__name__, error.status_code, error.code, error.param]
    return None


generated = client.images.generate(prompt="a red apple", n=2, extra_body=few)
png = base64.b64decode(generated.data[0].b64_json)
file = ("image.png", png, "image/png")
events = client.images.generate(prompt="a red apple", stream=True, partial_images=1, extra_body={"steps": 4})
edits = client.images.edit(image=[file], prompt="a car", stream=True, partial_images=1, extra_body={"steps": 4})

print(
    json.dumps(
        {
            "models": [model.id for model in client.models.list()],
            "images": len(generated.data),
            "size": generated.size,
            "seeds": [image.seed for image in generated.data],
            "signature": png[:4].hex(),
            "events": [event.type for event in events],
            "edits": [event.type for event in edits],
            "variation": len(client.images.create_variation(image=file, extra_body=few).data),
            "errors": [
                code_of(lambda: client.images.generate(prompt="a cat", model="other")),
                code_of(lambda: client.images.generate(prompt="a cat", n=11)),
            ],
        }
    )
)
