// node custom_resources.mjs NODE_MODULES <objects.json: says of each whether the CRD of its kind takes it.
const packages = { "monitoring.coreos.com": "prometheus-operator", "gateway.networking.k8s.io": "gateway-api" };
let text = "";
for await (const chunk of process.stdin) text += chunk;
for (const object of JSON.parse(text)) {
  const { apiVersion, kind } = object;
  const file = `${process.argv[2]}/@kubernetes-models/${packages[apiVersion.split("/")[0]]}/${apiVersion}/${kind}.js`;
  try {
    new (await import(file))[kind](object).validate();
    console.log("ok");
  } catch (error) {
    process.exitCode = 1;
    console.log(`${kind}: ${error.message}`);
  }
}
