// Registers webhooks with Shopify's library, as documented, for each shop of a list:
//
//   node register.mjs URL-WITH-{shop} ADDRESS TOPIC,TOPIC,… SHOPS-AT-A-TIME FILE-OF-HANDLES
//
// Only the address of the requests differs from the library: the fake instead of Shopify.
import { readFileSync } from 'node:fs';
import '@shopify/shopify-api/adapters/node';
import { setAbstractFetchFunc } from '@shopify/shopify-api/runtime';
import { ApiVersion, DeliveryMethod, LogSeverity, Session, shopifyApi } from '@shopify/shopify-api';

const [url, address, topics, atATime, file] = process.argv.slice(2);
setAbstractFetchFunc((target, options) => {
  const { host, pathname } = new URL(target);
  return fetch(url.replace('{shop}', host) + pathname, options);
});

const shopify = shopifyApi({
  apiKey: 'benchmark',
  apiSecretKey: 'benchmark',
  apiVersion: Object.values(ApiVersion).filter((version) => /^\d/.test(version)).sort().at(-1),
  hostName: 'app.example.com',
  isEmbeddedApp: false,
  logger: { level: LogSeverity.Error },
});
for (const topic of topics.split(',')) {
  shopify.webhooks.addHandlers({ [topic]: [{ deliveryMethod: DeliveryMethod.Http, callbackUrl: address, callback: async () => {} }] });
}

const handles = readFileSync(file, 'utf8').split('\n');
async function work() {
  for (let handle = handles.shift(); handle !== undefined; handle = handles.shift()) {
    const shop = `${handle}.myshopify.com`;
    const session = new Session({ id: `offline_${shop}`, shop, state: '', isOnline: false, accessToken: 'benchmark' });
    const registered = await shopify.webhooks.register({ session });
    const failed = Object.values(registered).flat().filter((result) => !result.success);
    if (failed.length > 0) throw new Error(`${shop}: ${JSON.stringify(failed[0])}`);
  }
}
await Promise.all(Array.from({ length: Number(atATime) }, work));
