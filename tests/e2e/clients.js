// The vendor's SDK in both current majors, with its requests counted.
import OpenAI6 from 'openai6';
import OpenAI7 from 'openai7';

export const majors = { 'openai 6': OpenAI6, 'openai 7': OpenAI7 };

export function client(OpenAI, stack, options = {}) {
  const counter = { requests: 0 };
  const openai = new OpenAI({
    baseURL: `${stack.url}/v1`,
    apiKey: 'sk-client',
    timeout: 30000,
    fetch: (...args) => { counter.requests++; return fetch(...args); },
    ...options,
  });
  return { openai, counter };
}

export const ask = (content, more = {}) => ({ model: 'demo', messages: [{ role: 'user', content }], ...more });
