// Stands for `react-style-singleton`, which writes <style> elements: the page's Content-Security-Policy forbids those,
// and allows sheets that are built by script.
import { useEffect } from 'react';

const without = sheet => document.adoptedStyleSheets.filter(other => other !== sheet);

export function styleHookSingleton() {
  const sheet = new CSSStyleSheet();
  let users = 0;
  return (styles, dynamic) => {
    useEffect(() => {
      if (users === 0) {
        sheet.replaceSync(styles);
        document.adoptedStyleSheets = [...without(sheet), sheet];
      }
      users += 1;
      return () => {
        users -= 1;
        if (users === 0) document.adoptedStyleSheets = without(sheet);
      };
    }, [styles && dynamic]);
  };
}

export function styleSingleton() {
  const useStyle = styleHookSingleton();
  return ({ styles, dynamic }) => {
    useStyle(styles, dynamic);
    return null;
  };
}
