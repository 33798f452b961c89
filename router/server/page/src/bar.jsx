// What stands in the corner: whose page this is, and who is logged in.
import { useSyncExternalStore } from 'react';
import { settings } from './settings.js';
import { login, loginState, logout, watchLogin } from './login.js';

export function Bar() {
  return (
    <div className="bar">
      {settings.login && <Login />}
      <a className="bar-name" href="?page=licences.txt" target="_blank" rel="noreferrer" title="Licences of what this page is made of">
        baedal
      </a>
    </div>
  );
}

function Login() {
  const { name, failure } = useSyncExternalStore(watchLogin, loginState);
  return (
    <span className="bar-login">
      {failure && <span role="alert" className="bar-failure" title={failure}>{failure}</span>}
      {name
        ? <><span className="bar-who" title="Logged in">{name}</span><Button does={logout}>Log out</Button></>
        : <Button does={login}>Log in</Button>}
    </span>
  );
}

function Button({ does, children }) {
  return <button type="button" className="bar-button" onClick={does}>{children}</button>;
}
