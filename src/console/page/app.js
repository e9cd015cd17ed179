const main = document.getElementById('page');
const session = await (await fetch('/api/session')).json();
const line = document.createElement('p');
line.textContent = session.setup
  ? 'There are no accounts yet. On the gateway’s machine: juyong account add -c FILE NAME --role administrator'
  : 'juyong ' + session.version;
main.append(line);
