document.title = 'Orrery';
export {};
