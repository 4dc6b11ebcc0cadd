// AutoModel and AutoProcessor of transformers.js on a model repo; prints the outputs as JSON.
import { AutoModel, AutoProcessor, RawImage, Tensor, env } from "@huggingface/transformers";

const [root, name, image, dtype] = process.argv.slice(2);
env.allowRemoteModels = false;
env.localModelPath = root;
const model = await AutoModel.from_pretrained(name, { dtype });
const processor = await AutoProcessor.from_pretrained(name);
const inputs = await processor(await RawImage.read(image));
const output = await model(inputs);
const listed = ({ dims, data }) => ({ dims, data: Array.from(data) });
const tensors = { pixel_values: inputs.pixel_values, ...output };
console.log(JSON.stringify(Object.fromEntries(Object.entries(tensors).map(([key, value]) => [key, listed(value)]))));
