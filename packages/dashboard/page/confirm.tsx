import { useEffect, useState } from 'preact/hooks';

interface ConfirmButtonProps {
  readonly label: string;
  /** What stands on it after the first click. */
  readonly sure: string;
  readonly onConfirm: () => void;
}

const SURE_MS = 4_000;

/** What cannot be undone takes two clicks, the second within four seconds. */
export function ConfirmButton({ label, sure, onConfirm }: ConfirmButtonProps) {
  const [asked, setAsked] = useState(false);
  useEffect(() => {
    if (!asked) return;
    const timer = window.setTimeout(() => setAsked(false), SURE_MS);
    return () => window.clearTimeout(timer);
  }, [asked]);
  const onClick = (): void => {
    setAsked(!asked);
    if (asked) onConfirm();
  };
  return (
    <button type="button" class={asked ? 'danger sure' : 'danger'} onClick={onClick}>
      {asked ? sure : label}
    </button>
  );
}
